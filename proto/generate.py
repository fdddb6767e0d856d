"""Generate the Python code of the wire contract: `python proto/generate.py [OUTPUT_FOLDER]`.

The generated code is checked in; a test runs this into an empty folder and compares.
"""

import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
CONTRACT = "tpsi_proto/tpsi.proto"


def generate(output: Path) -> int:
    """Write tpsi_pb2.py, tpsi_pb2.pyi and tpsi_pb2_grpc.py below `output`; the exit status of protoc."""
    include = Path(protoc.__file__).parent / "_proto"
    status: int = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{include}",
            f"--python_out={output}",
            f"--pyi_out={output}",
            f"--grpc_python_out={output}",
            CONTRACT,
        ]
    )
    return status


if __name__ == "__main__":
    sys.exit(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
