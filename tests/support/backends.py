"""The backends that tests run on: the native core is one where it is installed, or where it has to be."""

import os

from tpsi.groups import LIBRARY, NATIVE
from tpsi.groups.backends import native_fault

#: Set to 1, the native core's tests run and fail where it is missing; else they are left out there, and pytest says so.
REQUIRED = "TPSI_TEST_NATIVE"

LEFT_OUT = native_fault() if os.environ.get(REQUIRED) != "1" else None
BACKENDS = (LIBRARY,) if LEFT_OUT else (LIBRARY, NATIVE)
