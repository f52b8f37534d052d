"""Draws plots and contact sheets by matplotlib and Pillow.

It must not know what a moment or a verdict is. Public: `MatplotlibPlotter`, which is the `Plotter` port.
"""
