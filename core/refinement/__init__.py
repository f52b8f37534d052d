"""Better frames and surer verdicts, found after an answer is shown.

It must not know how frames are decoded, nor platforms. Public: `Refiner`.
"""
