# frozen_string_literal: true

# A site that signs people in with their face.

require "securerandom"
require "sinatra"

require_relative "axiam"

set :bind, "127.0.0.1"
set :port, ENV.fetch("PORT", 8000)
set :show_exceptions, false
set :raise_errors, false

# Signs the session's cookie. Set one of your own, or everybody is signed out at each start.
set :session_secret, ENV.fetch("SESSION_SECRET") { SecureRandom.hex(64) }
set :sessions, same_site: :lax, httponly: true, secure: ENV.key?("HTTPS")

# Every form carries what only this visitor's own page was given.
set :protection, use: [:authenticity_token], reaction: :deny

# Nothing but this site's own pages, and the widget from Axiam.
before do
  cable = Axiam::URL.sub("http", "ws")
  headers "Content-Security-Policy" => "default-src 'none'; script-src #{Axiam::URL}; connect-src #{Axiam::URL} #{cable}; " \
                                       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
end

helpers do
  def h(text) = Rack::Utils.escape_html(text)
  def csrf = Rack::Protection::AuthenticityToken.token(session)
end

get "/" do
  @widget_token = Axiam.widget_token unless session[:email]
  erb session[:email] ? :home : :sign_in
end

# The widget posts here once the phone has verified the person. Nothing is believed but what Axiam redeems.
post "/login" do
  who = Axiam.redeem(params[:client_session_token].to_s, params[:client_id].to_s)
  session.clear
  session[:email] = who["email"]
  redirect to("/"), 303
end

post "/logout" do
  session.clear
  redirect to("/"), 303
end

error Axiam::Refused do |refused|
  status 401
  @problem = refused.message
  erb :problem
end

error(*Axiam::UNAVAILABLE) do
  status 502
  @problem = "Sign-in is not available just now."
  erb :problem
end

__END__

@@ layout
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<main><%= yield %></main>
</html>

@@ sign_in
<h1>Sign in</h1>
<axiam-facial-login auth-token="<%= h @widget_token %>" form-action="/login"
  csrf-field="authenticity_token" csrf-token="<%= h csrf %>"></axiam-facial-login>
<script src="<%= h Axiam::URL %>/widget/facial-login.js" defer></script>

@@ home
<h1>Hello <%= h session[:email] %></h1>
<form method="post" action="/logout">
  <input type="hidden" name="authenticity_token" value="<%= h csrf %>">
  <button>Sign out</button>
</form>

@@ problem
<h1>Not signed in</h1>
<p><%= h @problem %> <a href="/">Try again</a>.</p>
