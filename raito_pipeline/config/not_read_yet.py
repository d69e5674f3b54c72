"""Options that files may have and that change nothing yet: the one place that says so.

Whoever sets one is warned (`reading.py`), and the documentation says it (`describe.py`). A test compares this with the
code: an option that is read does not stand here, and one that is not read does.
"""

from typing import Final

NOT_READ_YET: Final[dict[str, str]] = {}
"""option, by its first name -> why it changes nothing"""
