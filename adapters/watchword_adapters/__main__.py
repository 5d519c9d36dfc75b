"""`python -m watchword_adapters` is the command line."""

import sys

from watchword_adapters.cli import main

sys.exit(main())
