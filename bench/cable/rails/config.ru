require_relative "application"

run Bench
