"""Asks a predictor for a prediction with KServe's own client, over REST and gRPC: kserve_client.py HOST:PORT MODEL CIPHERTEXT...

Prints one line per ciphertext, the outputs as integers, then the label. Needs kserve, unmodified.
"""

import asyncio
import sys

import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.inference_client import InferenceGRPCClient


def request(model: str, ciphertexts: list, kind: str, binary: bool) -> InferRequest:
    if kind == "BYTES":
        data = numpy.array(ciphertexts, dtype=object)
    else:
        data = numpy.frombuffer(ciphertexts[0], dtype=numpy.uint8).reshape(1, -1)
    tensor = InferInput("ciphertext", list(data.shape), kind)
    tensor.set_data_from_numpy(data, binary_data=binary)
    return InferRequest(model, [tensor], request_id="7")


async def main(address: str, model: str, *paths: str) -> None:
    ciphertexts = [open(path, "rb").read() for path in paths]
    rest, url = InferenceRESTClient(RESTConfig(protocol="v2")), f"http://{address}"
    assert await rest.is_server_live(url) and await rest.is_server_ready(url)
    assert await rest.is_model_ready(url, model) and not await rest.is_model_ready(url, "none")
    calls = InferenceGRPCClient(url=address)
    assert await calls.is_server_live() and await calls.is_server_ready() and await calls.is_model_ready(model)

    answers = []
    for kind, binary in (("BYTES", True), ("UINT8", True), ("UINT8", False)):
        asked = request(model, ciphertexts, kind, binary)
        answers.append(await rest.infer(url, asked, model_name=model))
        answers.append(await calls.infer(asked))
    tables = []
    for answer in answers:
        outputs = {output.name: output for output in answer.outputs}
        integers, labels = outputs["output"].as_numpy(), outputs["label"].as_numpy()
        text = [label.decode() if isinstance(label, bytes) else str(label) for label in labels]
        tables.append([(*map(int, row), label) for row, label in zip(integers.reshape(len(text), -1), text)])
    assert tables[0] == tables[1] and all(table == tables[0][:1] for table in tables[2:]), tables
    for row in tables[0]:
        print(*row)


asyncio.run(main(*sys.argv[1:]))
