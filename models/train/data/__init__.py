"""From tool documents and labelled requests to training pairs; `build.py` is where to start reading."""
