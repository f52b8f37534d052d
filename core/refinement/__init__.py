"""Better frames and surer verdicts, after an answer is shown."""
