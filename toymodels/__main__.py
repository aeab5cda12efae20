"""Run the command line: ``python -m toymodels``."""

from toymodels.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
