"""``python -m affekt.cli``: the command as a module."""

import sys

from affekt.cli import main

sys.exit(main())
