"""What this site's backend asks of Axiam: a token for its page, and who signed on."""

import os
import threading
import time

import requests

URL = os.environ.get("AXIAM_URL", "http://127.0.0.1:3000")
API = f"{URL}/api/v1/facial_sign_on"


class Refused(Exception):
    """The API said no. Its text is a sentence that a page may show; `code` is the API's."""

    def __init__(self, answer):
        super().__init__(answer["user_message"])
        self.code = answer["code"]


def _call(route, body, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(API + route, json=body, headers=headers, timeout=10).json()
    if not answer["success"]:
        raise Refused(answer)
    return answer["data"]


def _authenticate(scope):
    keys = {"api_key": os.environ["AXIAM_API_KEY"], "secret_key": os.environ["AXIAM_SECRET_KEY"]}
    return _call("/application_auth", {**keys, "scope": scope})


# The site's token lasts for 30 days: one is asked for and kept.
_lock = threading.Lock()
_token, _until = None, 0.0


def _site_token(anew=False):
    global _token, _until
    with _lock:
        if anew or time.time() > _until:
            data = _authenticate("site")
            _token = data["authenticated_token"]
            _until = time.time() + data["expires_in"] - 60
        return _token


def post(route, body):
    """Calls a route with the site's token; one that is no longer good is replaced, once."""
    try:
        return _call(route, body, _site_token())
    except Refused as refused:
        if refused.code not in (1003, 1004, 1005):
            raise
        return _call(route, body, _site_token(anew=True))


def widget_token():
    """A token that a page may hold: good for ten minutes, and for nothing but the widget."""
    return _authenticate("widget")["authenticated_token"]


def redeem(client_session_token, client_id):
    """Who signed on: client_id, email and more. Each proof is good once, for this site only."""
    proof = {"client_session_token": client_session_token, "client_id": client_id}
    return post("/login/validate_session", proof)
