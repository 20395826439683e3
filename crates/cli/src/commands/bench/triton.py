"""Asks a predictor again and again with Triton's own client: PROTOCOL HOST:PORT MODEL FOLDER, http or grpc.

Says `ready` once it could ask, then reads for how many seconds to go on, and prints what came back as JSON.
"""

import json
import pathlib
import sys
import time

import numpy

protocol, address, model, folder = sys.argv[1:]
if protocol == "grpc":
    import tritonclient.grpc as triton
else:
    import tritonclient.http as triton
client = triton.InferenceServerClient(address)
BUSY = "429", "503", "StatusCode.RESOURCE_EXHAUSTED", "StatusCode.UNAVAILABLE"


def tensor(path):
    made = triton.InferInput("ciphertext", [1], "BYTES")
    made.set_data_from_numpy(numpy.array([path.read_bytes()], dtype=object))
    return made


tensors = [tensor(path) for path in sorted(pathlib.Path(folder).iterdir())]
for patience in range(50):
    try:
        client.infer(model, tensors[:1])
        break
    except triton.InferenceServerException as error:
        if error.status() not in BUSY:
            raise
        time.sleep(0.2)
print("ready", flush=True)
seconds = float(sys.stdin.readline())
micros, turned_away, other, said = [], 0, 0, None
end = time.perf_counter() + seconds
number = 0
while (begin := time.perf_counter()) < end:
    number += 1
    try:
        client.infer(model, [tensors[number % len(tensors)]])
        micros.append(int(1e6 * (time.perf_counter() - begin)))
    except triton.InferenceServerException as error:
        if error.status() in BUSY:
            turned_away += 1
            time.sleep(0.02)
        else:
            other += 1
            said = said or str(error)
print(json.dumps({"micros": micros, "turned_away": turned_away, "other": other, "said": said}))
