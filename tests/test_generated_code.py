"""The checked-in code of the wire contract says what the contract says, whatever generator is installed."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from tpsi_proto import tpsi_pb2, tpsi_pb2_grpc

PROTO = Path(__file__).resolve().parent.parent / "proto"
PYPROJECT = PROTO.parent / "pyproject.toml"
CONTRACT = "tpsi_proto/tpsi.proto"
SERVICE = 6  # FileDescriptorProto.service, and method in it: how paths in source code info name them
METHOD = 2


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorProto:
    """The contract as the installed compiler reads it, with its comments."""
    output = tmp_path_factory.mktemp("contract") / "set.binpb"
    arguments = [f"-I{PROTO}", "--include_source_info", f"--descriptor_set_out={output}", CONTRACT]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes()).file
    return next(file for file in files if file.name == CONTRACT)


def without_derived(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """A copy without what compilers differ in: comments, and JSON names that follow from the names."""
    copy = descriptor_pb2.FileDescriptorProto()
    copy.CopyFrom(file)
    copy.ClearField("source_code_info")
    for message in copy.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return copy


def rpcs(
    file: descriptor_pb2.FileDescriptorProto,
) -> Iterator[tuple[str, descriptor_pb2.MethodDescriptorProto]]:
    """Every RPC with the name of its service."""
    for service in file.service:
        for method in service.method:
            yield service.name, method


class Recorder:
    """Takes the handlers that generated code registers."""

    def __init__(self) -> None:
        self.handlers: dict[str, dict[str, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """What older generated code calls; the handlers come again, by name."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        self.handlers[service] = handlers


def test_the_messages_are_those_of_the_contract(contract: descriptor_pb2.FileDescriptorProto) -> None:
    generated = descriptor_pb2.FileDescriptorProto()
    tpsi_pb2.DESCRIPTOR.CopyToProto(generated)
    assert without_derived(generated) == without_derived(contract)


def test_the_handlers_are_those_of_the_contract(contract: descriptor_pb2.FileDescriptorProto) -> None:
    recorder = Recorder()
    for service in contract.service:
        servicer = getattr(tpsi_pb2_grpc, f"{service.name}Servicer")()
        getattr(tpsi_pb2_grpc, f"add_{service.name}Servicer_to_server")(servicer, recorder)
    registered = {(name, method) for name, methods in recorder.handlers.items() for method in methods}
    assert registered == {(f"tpsi.v1.{name}", method.name) for name, method in rpcs(contract)}
    for name, method in rpcs(contract):
        handler = recorder.handlers[f"tpsi.v1.{name}"][method.name]
        assert handler.request_streaming == method.client_streaming
        assert handler.response_streaming == method.server_streaming
        reply = getattr(tpsi_pb2, method.output_type.rpartition(".")[2])
        assert handler.response_serializer == reply.SerializeToString
        request = getattr(tpsi_pb2, method.input_type.rpartition(".")[2])
        assert type(handler.request_deserializer(b"")) is request


def test_the_stubs_have_the_calls_of_the_contract(contract: descriptor_pb2.FileDescriptorProto) -> None:
    with grpc.insecure_channel("localhost:1") as channel:
        for service in contract.service:
            stub = getattr(tpsi_pb2_grpc, f"{service.name}Stub")(channel)
            assert set(vars(stub)) == {method.name for method in service.method}


def test_the_comments_on_calls_are_those_of_the_contract(
    contract: descriptor_pb2.FileDescriptorProto,
) -> None:
    comments = {tuple(place.path): place.leading_comments for place in contract.source_code_info.location}
    for s, service in enumerate(contract.service):
        servicer = getattr(tpsi_pb2_grpc, f"{service.name}Servicer")
        assert (servicer.__doc__ or "").split() == comments[SERVICE, s].split()
        for m, method in enumerate(service.method):
            assert getattr(servicer, method.name).__doc__.split() == comments[SERVICE, s, METHOD, m].split()


def test_the_type_hints_name_the_fields_of_the_contract(contract: descriptor_pb2.FileDescriptorProto) -> None:
    hints = ast.parse((PROTO / CONTRACT).with_name("tpsi_pb2.pyi").read_text(encoding="utf-8"))
    classes = {node.name: node for node in hints.body if isinstance(node, ast.ClassDef)}
    for message in contract.message_type:
        assert annotations(classes[message.name]) >= names(message.field)
        assert {name for name in annotations(classes[message.name]) if name.islower()} == names(message.field)
    for enum in contract.enum_type:
        assert annotations(classes[enum.name]) == {value.name for value in enum.value}


def annotations(node: ast.ClassDef) -> set[str]:
    """The annotated names in a class body, constants for field numbers and slots left out."""
    targets = [
        line.target.id for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    ]
    return {name for name in targets if not name.endswith("_FIELD_NUMBER")}


def names(fields: RepeatedCompositeFieldContainer[Any]) -> set[str]:
    """The names of the fields of a message."""
    return {field.name for field in fields}


def test_the_code_demands_no_newer_runtime_than_the_distribution_does() -> None:
    """Generated code refuses to load with runtimes that are older than its generator."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    floors: dict[str, str] = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(project["dependencies"]), re.MULTILINE))
    assert floors["grpcio"] == tpsi_pb2_grpc.GRPC_GENERATED_VERSION
    source = Path(tpsi_pb2.__file__).read_text(encoding="utf-8")
    (generator,) = re.findall(r"^# Protobuf Python Version: ([\d.]+)$", source, re.MULTILINE)
    assert numbers(generator)[:2] == numbers(floors["protobuf"])[:2]
    assert numbers(importlib.metadata.version("protobuf")) >= numbers(generator)


def numbers(version: str) -> tuple[int, ...]:
    """A version's numbers, for comparison."""
    return tuple(int(part) for part in version.split("."))
