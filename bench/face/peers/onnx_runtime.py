"""ONNX Runtime on the very networks of the default pack, on the inputs of the parity tests (real faces),
each as often as our pipeline ran it on the photo."""

import json
import pathlib
import sys
import time

import numpy
import onnxruntime

from serve import serve

build = pathlib.Path(sys.argv[1])
manifest = json.loads((build / "default/manifest.json").read_text())
specs = [*manifest["detectors"], manifest["landmarks"], manifest["mesh"], manifest["embedding"]]


def session(file):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(build / "default" / file, options, providers=["CPUExecutionProvider"])


def picture(file, side):
    """The parity case of this network whose side is nearest, cut or repeated to the pack's side."""
    cases = json.loads((build / "parity/cases.json").read_text())
    cases = [case for case in cases if f"{case['net']}.onnx" == file]
    case = min(cases, key=lambda case: abs(case["shape"][2] - side))
    pixels = numpy.fromfile(build / "parity" / case["input"], dtype="<f4").reshape(case["shape"])
    places = numpy.arange(side) % case["shape"][2]
    return pixels[:, :, places][:, :, :, places]


class Net:
    """One network with its input, prepared as the manifest says."""

    def __init__(self, spec):
        self.session = session(spec["file"])
        pixels = picture(spec["file"], spec["input"]["side"])
        mean = numpy.array(spec["input"]["mean"], dtype=numpy.float32).reshape(1, 3, 1, 1)
        values = ((pixels - mean) * numpy.float32(spec["input"]["scale"])).astype(numpy.float32)
        self.input = {self.session.get_inputs()[0].name: values}

    def run(self, times):
        started = time.perf_counter()
        for _ in range(times):
            self.session.run(None, self.input)
        return (time.perf_counter() - started) * 1000


nets = {spec["file"].removesuffix(".onnx"): Net(spec) for spec in specs}


def answer(request):
    stages = {name: nets[name].run(times) for name, times in request["runs"].items()}
    return {"ms": sum(stages.values()), "stages": stages}


serve({"onnxruntime": onnxruntime.__version__}, answer)
