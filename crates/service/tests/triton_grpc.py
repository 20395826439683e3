"""Asks a predictor for a prediction with the stock client over gRPC: triton_grpc.py HOST:PORT MODEL CIPHERTEXT...

Prints one line per ciphertext, the outputs as integers, then the label. Needs tritonclient[grpc], unmodified.
"""

import sys

import numpy
import tritonclient.grpc as grpc


def refused(status: str, call) -> None:
    try:
        call()
    except grpc.InferenceServerException as error:
        assert error.status() == f"StatusCode.{status}", error
        return
    raise SystemExit(f"{status} was expected")


def main(address: str, model: str, *paths: str) -> None:
    client = grpc.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    assert not client.is_model_ready("none")
    assert "classification" in client.get_server_metadata().extensions
    metadata = client.get_model_metadata(model)
    assert [tensor.name for tensor in metadata.inputs] == ["ciphertext"], metadata
    config = client.get_model_config(model).config
    assert [output.name for output in config.output] == [output.name for output in metadata.outputs], config
    assert [list(output.dims) for output in config.output] == [list(output.shape) for output in metadata.outputs]
    assert client.get_model_repository_index().models[0].state == "READY"
    ciphertexts = [open(path, "rb").read() for path in paths]

    tensor = grpc.InferInput("ciphertext", [len(ciphertexts)], "BYTES")
    tensor.set_data_from_numpy(numpy.array(ciphertexts, dtype=object))
    all_of_it = client.infer(model, [tensor], request_id="7")
    assert all_of_it.get_response().id == "7"
    version = all_of_it.get_response().model_version
    assert version == metadata.versions[0]
    wanted = [grpc.InferRequestedOutput("probabilities", class_count=1), grpc.InferRequestedOutput("output")]
    best = client.infer(model, [tensor], model_version=version, outputs=wanted, compression_algorithm="gzip")
    assert (best.as_numpy("output") == all_of_it.as_numpy("output")).all() and best.as_numpy("label") is None
    labels = [entry[0].decode().split(":")[2] for entry in best.as_numpy("probabilities")]
    assert labels == [label.decode() for label in all_of_it.as_numpy("label")], labels

    octets = numpy.frombuffer(ciphertexts[0], dtype=numpy.uint8).reshape(1, -1)
    flat = grpc.InferInput("ciphertext", list(octets.shape), "UINT8")
    flat.set_data_from_numpy(octets)
    assert (client.infer(model, [flat]).as_numpy("output")[0] == all_of_it.as_numpy("output")[0]).all()

    (statistics,) = client.get_inference_statistics(model).model_stats
    assert statistics.inference_stats.success.count == 3, statistics
    assert statistics.inference_count == 2 * len(ciphertexts) + 1

    garbage = grpc.InferInput("ciphertext", [1], "BYTES")
    garbage.set_data_from_numpy(numpy.array([b"garbage"], dtype=object))
    refused("INVALID_ARGUMENT", lambda: client.infer(model, [garbage]))
    refused("NOT_FOUND", lambda: client.infer("none", [tensor]))
    refused("NOT_FOUND", lambda: client.infer(model, [tensor], model_version="9"))
    refused("UNIMPLEMENTED", client.get_trace_settings)
    client.load_model(model)
    client.unload_model(model)
    refused("NOT_FOUND", lambda: client.infer(model, [tensor]))
    client.load_model(model)

    # Many calls at once over one connection.
    pending = []
    for _ in range(6):
        client.async_infer(model, [flat], lambda result, error: pending.append(error))
    while len(pending) < 6:
        client.is_server_live()
    # A machine that is slow at the moment turns some away, and says so.
    away = [error for error in pending if error is not None]
    assert len(away) < 5, away
    assert all(error.status() in ("StatusCode.RESOURCE_EXHAUSTED", "StatusCode.UNAVAILABLE") for error in away), away

    for row, label in zip(all_of_it.as_numpy("output"), all_of_it.as_numpy("label")):
        print(*row, label.decode())


main(*sys.argv[1:])
