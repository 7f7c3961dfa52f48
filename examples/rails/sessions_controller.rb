# frozen_string_literal: true

# app/controllers/sessions_controller.rb; lib/axiam.rb is examples/ruby/axiam.rb. Routes:
#
#   root "sessions#new"
#   post "login", to: "sessions#create"
#   post "logout", to: "sessions#destroy"
class SessionsController < ActionController::Base
  # Rails checks authenticity_token before every form.
  protect_from_forgery with: :exception

  # Nothing but this site's own pages, and the widget from Axiam.
  content_security_policy do |policy|
    policy.default_src :none
    policy.script_src Axiam::URL
    policy.connect_src Axiam::URL, Axiam::URL.sub("http", "ws")
    policy.form_action :self
    policy.base_uri :none
    policy.frame_ancestors :none
  end

  rescue_from Axiam::Refused do |refused|
    @problem = refused.message
    render :new, status: :unauthorized
  end

  rescue_from(*Axiam::UNAVAILABLE) do
    @problem = "Sign-in is not available just now."
    render :new, status: :bad_gateway
  end

  def new
    @widget_token = Axiam.widget_token unless session[:email]
  end

  # The widget posts here once the phone has verified the person. Nothing is believed but what Axiam redeems.
  def create
    who = Axiam.redeem(params[:client_session_token].to_s, params[:client_id].to_s)
    reset_session
    session[:email] = who["email"]
    redirect_to root_path, status: :see_other
  end

  def destroy
    reset_session
    redirect_to root_path, status: :see_other
  end
end
