# The smallest Rails application with Action Cable, in production mode, from Debian's packages.
# The benchmark copies it into a temporary folder.
require "logger"
require "rails"
require "action_controller/railtie"
require "action_cable/engine"

# Nanoseconds since the Unix epoch: the pages read the same clock.
def stamped(size)
  { t: Process.clock_gettime(Process::CLOCK_REALTIME, :nanosecond), pad: "x" * size }
end

class Bench < Rails::Application
  config.root = __dir__
  config.eager_load = true
  config.secret_key_base = "only for a benchmark on loopback"
  config.logger = Logger.new($stderr)
  config.log_level = :error
  config.hosts.clear
  config.action_cable.mount_path = "/cable"
  config.action_cable.disable_request_forgery_protection = true
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
  end
end

class BenchChannel < ActionCable::Channel::Base
  def subscribed
    stream_from params[:stream]
  end
end

Bench.initialize!

def answer
  [200, { "Content-Type" => "text/plain", "Content-Length" => "2" }, ["ok"]]
end

Bench.routes.draw do
  # One message to one stream.
  post "/broadcast/:stream/:size", to: lambda { |env|
    path = env["action_dispatch.request.path_parameters"]
    ActionCable.server.broadcast(path[:stream], stamped(path[:size].to_i))
    answer
  }
  # One message to each of so many streams, one after another, evenly.
  post "/sweep/:streams/:pause/:size", to: lambda { |env|
    path = env["action_dispatch.request.path_parameters"]
    pause = path[:pause].to_i / 1e6
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    path[:streams].to_i.times do |at|
      ahead = start + at * pause - Process.clock_gettime(Process::CLOCK_MONOTONIC)
      sleep(ahead) if ahead.positive?
      ActionCable.server.broadcast("p#{at}", stamped(path[:size].to_i))
    end
    answer
  }
end
