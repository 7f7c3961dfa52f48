"""A site that signs people in with their face."""

import os
import secrets

import requests
from flask import Flask, abort, redirect, render_template, request, session

import axiam

app = Flask(__name__)
# Signs the session's cookie. Set one of your own, or everybody is signed out at each start.
app.secret_key = os.environ.get("SESSION_SECRET") or secrets.token_hex(32)
app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_SECURE="HTTPS" in os.environ)


@app.after_request
def policy(response):
    """Nothing but this site's own pages, and the widget from Axiam."""
    cable = axiam.URL.replace("http", "ws", 1)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {axiam.URL}; connect-src {axiam.URL} {cable}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


@app.before_request
def csrf():
    """Every form carries what only this visitor's own page was given."""
    known = session.setdefault("csrf", secrets.token_urlsafe(32))
    given = request.form.get("csrf_token", "")
    if request.method == "POST" and not secrets.compare_digest(known.encode(), given.encode()):
        abort(403)


@app.get("/")
def home():
    token = None if "email" in session else axiam.widget_token()
    return render_template("page.html", axiam_url=axiam.URL, widget_token=token)


@app.post("/login")
def login():
    """The widget posts here once the phone has verified the person. Nothing is believed but what Axiam redeems."""
    form = request.form
    who = axiam.redeem(form.get("client_session_token", ""), form.get("client_id", ""))
    session.clear()
    session["email"] = who["email"]
    return redirect("/", 303)


@app.post("/logout")
def logout():
    session.clear()
    return redirect("/", 303)


@app.errorhandler(axiam.Refused)
def refused(error):
    return render_template("page.html", problem=str(error)), 401


@app.errorhandler(requests.RequestException)
def unavailable(error):
    app.logger.error(error)
    return render_template("page.html", problem="Sign-in is not available just now."), 502


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
