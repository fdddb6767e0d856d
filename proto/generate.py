"""Generate the Python code of the wire contract into proto/tpsi_proto: `python proto/generate.py`.

The generated code is checked in, and tests/test_generated_code.py compares it with the contract. Generated
code demands runtimes at least as new as its generator, so the generator's version is fixed here: it gives the
lowest grpcio and protobuf that this distribution asks of its users (`dependencies` in pyproject.toml), and
newer runtimes take the code as well. It is installed into an environment of its own, from the package index.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
CONTRACT = "tpsi_proto/tpsi.proto"
GENERATOR = "grpcio-tools==1.73.1"


def generate(output: Path) -> None:
    """Write the three generated files below `output`; CalledProcessError if a step fails."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", GENERATOR], check=True)  # noqa: S603
        outputs = [f"--{kind}_out={output}" for kind in ("python", "pyi", "grpc_python")]
        subprocess.run([python, "-m", "grpc_tools.protoc", f"-I{ROOT}", *outputs, CONTRACT], check=True)  # noqa: S603


def main() -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(description="Generate the Python code of the wire contract.")
    parser.add_argument("output", nargs="?", type=Path, default=ROOT, help="folder to write below (default: proto)")
    try:
        generate(parser.parse_args().output)
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"generate: nothing was generated: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
