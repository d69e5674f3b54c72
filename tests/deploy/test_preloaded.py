"""What is loaded before the runs of a code server are forked: nothing of a project, and no thread."""

import json
import subprocess
import sys

PROGRAM = """
import gc, json, sys, threading
import raito_pipeline.deploy.preloaded
loaded = {name: name in sys.modules for name in ("raito_pipeline.component", "raito_pipeline.definitions")}
print(json.dumps({"loaded": loaded, "threads": threading.active_count(), "searched": gc.get_freeze_count() == 0}))
"""


def test_modules_are_loaded_and_no_project_or_thread_is_there() -> None:
    told = json.loads(subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True).stdout)

    assert told["loaded"] == {"raito_pipeline.component": True, "raito_pipeline.definitions": False}
    assert (told["threads"], told["searched"]) == (1, False)
