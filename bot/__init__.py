"""The doors of Keaton, its command line and its wiring: they translate, acknowledge and render.

They must not know how videos are indexed or searched (that is `core`), nor SQL. Entry: `bot.__main__`.
"""

import os

# Threads that wait for one another shall sleep, not spin: beside videos that are being indexed a question's words took
# ten times as long. numpy's work is small here. Both libraries read this when they are imported, so it stands first.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
for _name, _value in THREADS.items():
    os.environ.setdefault(_name, _value)
