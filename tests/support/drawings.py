"""Pictures that stand in for frames and plots."""

from __future__ import annotations

import cv2
import numpy as np

PEAKS_S = (34, 71, 12, 55, 83)


def draw_frame(number: int) -> bytes:
    """Give a JPEG of a sunset that is another one for each number."""
    height = np.linspace(0, 1, 360)[:, None, None]
    picture = np.broadcast_to(
        (1 - height) * (60, 110 + 25 * number, 235) + height * (150, 80, 20 * number), (360, 640, 3)
    )
    drawing = np.ascontiguousarray(picture.astype(np.uint8))
    cv2.circle(drawing, (100 * number, 150), 46, (170, 225, 255), -1, cv2.LINE_AA)
    cv2.rectangle(drawing, (0, 230), (640, 360), (96, 62, 20), -1)
    cv2.ellipse(drawing, (330, 262), (52, 20), 0, 180, 360, (60, 70, 150), -1, cv2.LINE_AA)
    return encode(".jpg", drawing)


def draw_plot(number: int, paper: int) -> bytes:
    """Give a PNG of a curve on a light or a dark ground."""
    drawing = np.full((360, 960, 3), paper, np.uint8)
    x = np.arange(960)
    y = 300 - 40 * np.sin(x / 31) ** 2
    for place, peak_s in enumerate(PEAKS_S):
        y -= (150 - 20 * place) * np.exp(-(((x - peak_s * 10) / 22) ** 2))
    cv2.polylines(drawing, [np.stack([x, y], 1).astype(np.int32)], False, (213, 87, 52), 3, cv2.LINE_AA)
    cv2.circle(drawing, (PEAKS_S[number - 1] * 10, 120), 13, (15, 72, 217), -1, cv2.LINE_AA)
    return encode(".png", drawing)


def encode(suffix: str, drawing: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    _, data = cv2.imencode(suffix, drawing)
    return data.tobytes()
