"""How long fuzzing takes: shortly and the same each time as a test, as long as asked for by `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

# Decoders and ONNX Runtime take what time they take; what hangs is found by the time limit of CI.
settings.register_profile(
    "test", max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", settings.get_profile("test"), derandomize=False, print_blob=True)

_EXAMPLES = os.environ.get("ADSCORE_FUZZ")
if _EXAMPLES:
    settings.register_profile("asked", settings.get_profile("long"), max_examples=int(_EXAMPLES))
settings.load_profile("asked" if _EXAMPLES else "test")
