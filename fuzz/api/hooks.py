"""What Schemathesis needs to get past the doors of Axiam: tokens, a phone's proofs, and somebody who is known.

Read by scripts/fuzz-api, which sets AXIAM_URL, AXIAM_API_KEY and AXIAM_SECRET_KEY.
"""

import base64
import hashlib
import json
import os
import random
import re
import time
import urllib.parse
import uuid

import requests
import schemathesis
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

SERVER = os.environ["AXIAM_URL"]
API = "/api/v1/facial_sign_on"
KNOWN = "ann@example.com"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def told(method, path, **more):
    answer = requests.request(method, SERVER + API + path, timeout=30, **more)
    answer.raise_for_status()
    return answer.json()["data"]


def site_token():
    keys = {"api_key": os.environ["AXIAM_API_KEY"], "secret_key": os.environ["AXIAM_SECRET_KEY"]}
    return told("POST", "/application_auth", json=keys)["authenticated_token"]


BEARER = {"Authorization": f"Bearer {site_token()}"}


class Phone:
    """A key that signs (RFC 9449), and what the server calls it."""

    def __init__(self, client_id):
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_numbers()
        self.jwk = {"kty": "EC", "crv": "P-256"}
        self.jwk |= {name: b64(value.to_bytes(32)) for name, value in (("x", point.x), ("y", point.y))}
        self.token = None
        code = told("POST", "/client/qrcode", headers=BEARER, json={"id": client_id, "flow_type": "signup"})
        body = {
            "enrollment_token": code["enrollment_url"].split("#")[1],
            "name": "fuzz", "platform": "web", "push": {"kind": "none"},
        }
        request = requests.Request("POST", SERVER + API + "/device/register", json=body).prepare()
        answer = requests.Session().send(self.sign(request), timeout=30)
        answer.raise_for_status()
        self.token = answer.json()["data"]["device_token"]

    def sign(self, request):
        url = urllib.parse.urlsplit(request.url)
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            return request
        claims = {
            "htm": request.method,
            "htu": f"{url.scheme}://{url.netloc}{url.path}",
            "iat": int(time.time()),
            "jti": str(uuid.uuid4()),
        }
        if self.token and not url.path.endswith("/device/register"):
            claims["ath"] = b64(hashlib.sha256(self.token.encode()).digest())
            request.headers["Authorization"] = f"DPoP {self.token}"
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            claims["digest"] = request.headers["Content-Digest"] = f"sha-256=:{digest}:"
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        request.headers["DPoP"] = f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
        return request


def known_client():
    body = {"email": KNOWN, "full_name": "Ann"}
    answer = requests.post(SERVER + API + "/client/create", headers=BEARER, json=body, timeout=30).json()
    if "data" in answer:
        return answer["data"]["client_id"]
    found = {"email": KNOWN}
    return told("POST", "/login/lookup_client", headers=BEARER, json=found)["client_id"]


def is_of_phone(request):
    path = urllib.parse.urlsplit(request.url).path.removeprefix(API)
    if path.startswith("/device"):
        return True
    return path in ("/login/pending", "/login/challenge", "/login/verify_token", "/login/deny") or (
        path == "/client" and request.method == "DELETE"
    )


class Doors(requests.auth.AuthBase):
    """A backend's token where a backend calls, a phone's proof where a phone does."""

    phone = None

    def __call__(self, request):
        # Nobody is to wait for long where there is nothing to wait for.
        request.url = re.sub(r"(?<=[?&]wait=)\d+(?=&|$)", "1", request.url)
        if not is_of_phone(request):
            request.headers.update(BEARER)
            return request
        # What a phone erases or unpairs is gone for the next one.
        if self.phone is None or request.method == "DELETE":
            self.phone = Phone(known_client())
        signed, is_last = self.phone.sign(request), request.method == "DELETE"
        if is_last:
            self.phone = None
        return signed


schemathesis.auth.set_from_requests(Doors())


@schemathesis.hook
def map_body(context, body):
    """Half of the bodies ask about somebody who is known, so that what comes after the look-up is reached."""
    if isinstance(body, dict) and random.random() < 0.5:
        if isinstance(body.get("id"), str):
            body["id"] = known_client()
        if isinstance(body.get("email"), str):
            body["email"] = random.choice([KNOWN, "approve@example.test", "deny@example.test"])
    return body
