"""`python -m raito_pipeline.cli` is `raito-pipeline`."""

import sys

from raito_pipeline.cli import main

sys.exit(main())
