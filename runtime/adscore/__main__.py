"""`python -m adscore`, for boards whose PATH lacks the scripts folder."""

from adscore.cli import main

main()
