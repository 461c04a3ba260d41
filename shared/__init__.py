"""Code shared by the write side, the read side and the projections."""

import os

# Matrices here are small: threads for them would only cost each process a tenth of a second at its start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
