"""Asks a predictor for a prediction with the stock client: triton.py HOST:PORT MODEL CIPHERTEXT...

Prints one line per ciphertext, the outputs as integers, then the label. Needs tritonclient[http], unmodified.
"""

import sys

import numpy
import tritonclient.http as http


def main(address: str, model: str, *paths: str) -> None:
    client = http.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    metadata = client.get_model_metadata(model)
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["ciphertext"], metadata
    assert any(entry["name"] == model for entry in client.get_model_repository_index())
    ciphertexts = [open(path, "rb").read() for path in paths]

    tensor = http.InferInput("ciphertext", [len(ciphertexts)], "BYTES")
    tensor.set_data_from_numpy(numpy.array(ciphertexts, dtype=object))
    in_binary = client.infer(model, [tensor])
    wanted = [http.InferRequestedOutput(name, binary_data=False) for name in ("output", "label")]
    in_json = client.infer(model, [tensor], outputs=wanted, request_id="7")
    assert in_json.get_response()["id"] == "7"
    assert (in_binary.as_numpy("output") == in_json.as_numpy("output")).all()

    wanted = [http.InferRequestedOutput("probabilities", class_count=1)]
    best = client.infer(model, [tensor], outputs=wanted, request_compression_algorithm="gzip")
    labels = [entry[0].decode().split(":")[2] for entry in best.as_numpy("probabilities")]
    assert labels == [label.decode() for label in in_binary.as_numpy("label")], labels
    client.infer(model, [tensor], request_compression_algorithm="deflate")

    version = metadata["versions"][0]
    assert client.is_model_ready(model, version) and client.get_model_metadata(model, version) == metadata
    named = client.infer(model, [tensor], model_version=version).get_response()
    assert named["model_version"] == version, named
    config = client.get_model_config(model)
    assert [entry["name"] for entry in config["output"]] == [entry["name"] for entry in metadata["outputs"]], config
    (statistics,) = client.get_inference_statistics(model)["model_stats"]
    assert statistics["inference_stats"]["success"]["count"] == 5, statistics
    assert client.get_inference_statistics()["model_stats"][0]["name"] == model

    octets = numpy.frombuffer(ciphertexts[0], dtype=numpy.uint8).reshape(1, -1)
    tensor = http.InferInput("ciphertext", list(octets.shape), "UINT8")
    tensor.set_data_from_numpy(octets)
    assert (client.infer(model, [tensor]).as_numpy("output")[0] == in_binary.as_numpy("output")[0]).all()

    tensor = http.InferInput("ciphertext", [1], "BYTES")
    tensor.set_data_from_numpy(numpy.array([b"garbage"], dtype=object))
    try:
        client.infer(model, [tensor])
        raise SystemExit("garbage was taken")
    except http.InferenceServerException as error:
        assert "cannot be read" in str(error), error

    probabilities = in_binary.as_numpy("probabilities")
    assert probabilities.shape[0] == len(ciphertexts) and abs(probabilities.sum(axis=1) - 1).max() < 1e-5
    for row, label in zip(in_binary.as_numpy("output"), in_binary.as_numpy("label")):
        print(*row, label.decode())


main(*sys.argv[1:])
