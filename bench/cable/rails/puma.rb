# One worker for each core, five threads each: what Rails writes into a new application, with the
# workers it advises for production.
require "etc"
environment "production"
workers Etc.nprocessors
threads 5, 5
bind "tcp://127.0.0.1:#{ENV.fetch("PORT")}"
