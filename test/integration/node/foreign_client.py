#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that has none of LamaDist's protos: it learns them by server reflection, reads the status, installs a bundle
and watches it. usage: foreign_client.py ADDRESS TLS_NAME KEY_FOLDER REFLECTION_PROTOS BUNDLE DEADLINE_S

Prints a JSON document a line: what the server offers, its status, and every event of the update.
"""
import importlib
import json
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

address, tls_name, keys, reflection_protos, bundle, deadline_s = sys.argv[1:]
DEADLINE_S = float(deadline_s)
PACKAGE = "lamadist.agent.v1"


def read(name):
    with open(f"{keys}/{name}", "rb") as file:
        return file.read()


def compile_reflection():
    """The reflection protocol itself is a standard that a client brings along."""
    out = tempfile.mkdtemp()
    status = protoc.main(
        ["protoc", f"-I{reflection_protos}", f"--python_out={out}", "grpc/reflection/v1/reflection.proto"]
    )
    if status != 0:
        sys.exit("Cannot compile the reflection protocol")
    # grpc is a package of its own already; the module is put beside it under its bare name.
    sys.path.insert(0, f"{out}/grpc/reflection/v1")
    return importlib.import_module("reflection_pb2")


def say(kind, value):
    print(json.dumps({"kind": kind, "value": value}), flush=True)


pb = compile_reflection()
credentials = grpc.ssl_channel_credentials(read("ca.pem"), read("admin.key"), read("admin.pem"))
channel = grpc.secure_channel(address, credentials, [("grpc.ssl_target_name_override", tls_name)])


def reflect(**request):
    call = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=pb.ServerReflectionRequest.SerializeToString,
        response_deserializer=pb.ServerReflectionResponse.FromString,
    )
    return next(call(iter([pb.ServerReflectionRequest(**request)]), timeout=DEADLINE_S))


services = sorted(service.name for service in reflect(list_services="").list_services_response.service)
say("services", services)

pool = descriptor_pool.DescriptorPool()
known = set()
for service in services:
    for data in reflect(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto:
        file = descriptor_pb2.FileDescriptorProto.FromString(data)
        if file.name not in known:
            known.add(file.name)
            pool.Add(file)
factory = message_factory.MessageFactory(pool)


def method(service, name):
    found = pool.FindServiceByName(f"{PACKAGE}.{service}").FindMethodByName(name)
    return found, factory.GetPrototype(found.input_type), factory.GetPrototype(found.output_type)


def call(service, name, request=None):
    _, sent, received = method(service, name)
    stub = channel.unary_unary(
        f"/{PACKAGE}.{service}/{name}",
        request_serializer=sent.SerializeToString,
        response_deserializer=received.FromString,
    )
    answer = stub(json_format.ParseDict(request or {}, sent()), timeout=DEADLINE_S)
    return json_format.MessageToDict(answer)


def watch(request):
    _, sent, received = method("UpdateService", "WatchUpdate")
    stub = channel.unary_stream(
        f"/{PACKAGE}.UpdateService/WatchUpdate",
        request_serializer=sent.SerializeToString,
        response_deserializer=received.FromString,
    )
    for answer in stub(json_format.ParseDict(request, sent()), timeout=DEADLINE_S):
        yield json_format.MessageToDict(answer)


say("device", call("DeviceService", "GetDevice")["device"])
try:
    call("UpdateService", "InstallBundle", {"source": {"path": "relative.raucb"}})
except grpc.RpcError as error:
    say("refused", {"code": error.code().name, "details": error.details()})
operation = call("UpdateService", "InstallBundle", {"source": {"path": bundle}, "rebootPolicy": "REBOOT_POLICY_MANUAL"})
say("operation", operation)
for event in watch(operation):
    update = event.get("progress") or event.get("result")
    say("event", {"phase": update["phase"], "percent": update.get("progress", {}).get("percent", 0)})
    if update["phase"] == "UPDATE_PHASE_PENDING_REBOOT":
        break
