"""Python's face_recognition (dlib), called as its README shows: its default detector, its default
landmarks, one descriptor a face."""

import io
import time
from importlib.metadata import version

import dlib
import face_recognition

from serve import serve


def answer(request):
    with open(request["photo"], "rb") as file:
        data = file.read()
    started = time.perf_counter()
    picture = face_recognition.load_image_file(io.BytesIO(data))
    decoded = time.perf_counter()
    boxes = face_recognition.face_locations(picture)
    found = time.perf_counter()
    faces = face_recognition.face_encodings(picture, boxes)
    done = time.perf_counter()
    stages = {"decode": decoded - started, "detect": found - decoded, "rest": done - found}
    return {
        "ms": (done - started) * 1000,
        "faces": len(faces),
        "stages": {name: seconds * 1000 for name, seconds in stages.items()},
    }


serve({"face_recognition": version("face_recognition"), "dlib": dlib.__version__}, answer)
