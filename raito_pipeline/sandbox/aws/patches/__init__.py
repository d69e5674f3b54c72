"""Where the emulator answers unlike AWS in what matters here: its classes are mended in place, one module a service."""

import threading

from raito_pipeline.sandbox.aws.patches.authorization import patch_authorization
from raito_pipeline.sandbox.aws.patches.backends import patch_backends
from raito_pipeline.sandbox.aws.patches.dispatch import patch_dispatch
from raito_pipeline.sandbox.aws.patches.glue import patch_glue
from raito_pipeline.sandbox.aws.patches.iam import patch_iam, patch_iam_refusals
from raito_pipeline.sandbox.aws.patches.iam_limits import patch_iam_limits
from raito_pipeline.sandbox.aws.patches.organizations import patch_organizations
from raito_pipeline.sandbox.aws.patches.s3 import patch_s3
from raito_pipeline.sandbox.aws.patches.s3_writing import patch_s3_writing
from raito_pipeline.sandbox.aws.patches.s3control import patch_s3control
from raito_pipeline.sandbox.aws.patches.sso import patch_sso, patch_sso_refusals
from raito_pipeline.sandbox.aws.patches.sso_principals import patch_identity_store
from raito_pipeline.sandbox.aws.patches.stale_principals import patch_stale_principals
from raito_pipeline.sandbox.aws.patches.sts import patch_sts

_lock = threading.Lock()
_applied = False


def apply_patches() -> None:
    """Mend the emulator, once a process."""
    global _applied
    with _lock:
        if _applied:
            return
        _applied = True
        patch_dispatch()
        patch_backends()
        patch_iam()
        patch_iam_limits()
        patch_stale_principals()
        patch_iam_refusals()
        patch_sts()
        patch_glue()
        patch_organizations()
        patch_s3()
        patch_s3_writing()
        patch_s3control()
        patch_sso()
        patch_sso_refusals()
        patch_identity_store()
        patch_authorization()
