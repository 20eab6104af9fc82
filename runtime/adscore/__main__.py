"""`python -m adscore`, for boards whose PATH lacks the scripts folder."""

from adscore.cli import main

if __name__ == "__main__":  # a worker process may import this file by another name
    main()
