# frozen_string_literal: true

require "json"
require "net/http"

# What this site's backend asks of Axiam: a token for its page, and who signed on.
module Axiam
  URL = ENV.fetch("AXIAM_URL", "http://127.0.0.1:3000")

  # The API said no. The message is a sentence that a page may show, the code is the API's.
  class Refused < StandardError
    attr_reader :code

    def initialize(answer)
      super(answer["user_message"])
      @code = answer["code"]
    end
  end

  # Axiam did not answer, or not in JSON.
  UNAVAILABLE = [SystemCallError, SocketError, Timeout::Error, OpenSSL::SSL::SSLError, EOFError, JSON::ParserError].freeze

  @lock = Mutex.new
  @until = Time.at(0)

  class << self
    # A token that a page may hold: good for ten minutes, and for nothing but the widget.
    def widget_token
      authenticate("widget").fetch("authenticated_token")
    end

    # Who signed on: client_id, email and more. Each proof is good once, for this site only.
    def redeem(client_session_token, client_id)
      post("/login/validate_session", client_session_token: client_session_token, client_id: client_id)
    end

    # Calls a route with the site's token; one that is no longer good is replaced, once.
    def post(route, body)
      call(route, body, site_token)
    rescue Refused => refused
      raise unless [1003, 1004, 1005].include?(refused.code)

      call(route, body, site_token(anew: true))
    end

    private

    # The site's token lasts for 30 days: one is asked for and kept.
    def site_token(anew: false)
      @lock.synchronize do
        if anew || Time.now > @until
          data = authenticate("site")
          @token = data.fetch("authenticated_token")
          @until = Time.now + data.fetch("expires_in") - 60
        end
        @token
      end
    end

    def authenticate(scope)
      call("/application_auth", api_key: ENV.fetch("AXIAM_API_KEY"), secret_key: ENV.fetch("AXIAM_SECRET_KEY"), scope: scope)
    end

    def call(route, body, token = nil)
      uri = URI("#{URL}/api/v1/facial_sign_on#{route}")
      headers = { "Content-Type" => "application/json" }
      headers["Authorization"] = "Bearer #{token}" if token
      options = { use_ssl: uri.scheme == "https", open_timeout: 10, read_timeout: 10 }
      reply = Net::HTTP.start(uri.host, uri.port, **options) { |http| http.post(uri.path, body.to_json, headers) }
      answer = JSON.parse(reply.body)
      raise Refused, answer unless answer["success"]

      answer["data"]
    end
  end
end
