"""``python -m affekt``: the command, where no ``affekt`` script is on the path."""

import sys

from affekt.cli import main

sys.exit(main())
