"""The benchmarks: `make bench`, or `python -m bench`. See README.md."""
