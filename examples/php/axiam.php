<?php
// What this site's backend asks of Axiam: a token for its page, and who signed on.

declare(strict_types=1);

/** The API said no. The message is a sentence that a page may show, the code is the API's. */
final class Refused extends Exception
{
}

final class Axiam
{
    /** The site's token lasts for 30 days: one is asked for and kept in this file, outside of what is served. */
    private const KEPT = __DIR__ . '/.axiam-token';

    public function __construct(
        public readonly string $url,
        private readonly string $apiKey,
        private readonly string $secretKey,
    ) {
    }

    public static function fromEnvironment(): self
    {
        return new self(
            getenv('AXIAM_URL') ?: 'http://127.0.0.1:3000',
            (string) getenv('AXIAM_API_KEY'),
            (string) getenv('AXIAM_SECRET_KEY'),
        );
    }

    /** A token that a page may hold: good for ten minutes, and for nothing but the widget. */
    public function widgetToken(): string
    {
        return $this->authenticate('widget')['authenticated_token'];
    }

    /** Who signed on: client_id, email and more. Each proof is good once, for this site only. */
    public function redeem(string $clientSessionToken, string $clientId): array
    {
        return $this->post('/login/validate_session', [
            'client_session_token' => $clientSessionToken,
            'client_id' => $clientId,
        ]);
    }

    /** Calls a route with the site's token; one that is no longer good is replaced, once. */
    public function post(string $route, array $body): array
    {
        try {
            return $this->call($route, $body, $this->siteToken());
        } catch (Refused $refused) {
            if (!in_array($refused->getCode(), [1003, 1004, 1005], true)) {
                throw $refused;
            }
            return $this->call($route, $body, $this->siteToken(anew: true));
        }
    }

    private function siteToken(bool $anew = false): string
    {
        $kept = json_decode((string) @file_get_contents(self::KEPT), true);
        if (!$anew && is_array($kept) && $kept['until'] > time()) {
            return $kept['token'];
        }
        $data = $this->authenticate('site');
        $kept = ['token' => $data['authenticated_token'], 'until' => time() + $data['expires_in'] - 60];
        // Written beside and moved into place: other requests see the old one or the new one, nobody else sees it.
        $new = tempnam(__DIR__, '.axiam-token');
        file_put_contents($new, json_encode($kept));
        rename($new, self::KEPT);
        return $kept['token'];
    }

    private function authenticate(string $scope): array
    {
        $keys = ['api_key' => $this->apiKey, 'secret_key' => $this->secretKey];
        return $this->call('/application_auth', [...$keys, 'scope' => $scope]);
    }

    private function call(string $route, array $body, ?string $token = null): array
    {
        $request = curl_init($this->url . '/api/v1/facial_sign_on' . $route);
        curl_setopt_array($request, [
            CURLOPT_POSTFIELDS => json_encode($body, JSON_THROW_ON_ERROR),
            CURLOPT_HTTPHEADER => ['Content-Type: application/json', ...($token ? ["Authorization: Bearer $token"] : [])],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
        ]);
        $text = curl_exec($request);
        if ($text === false) {
            throw new RuntimeException(curl_error($request));
        }
        $answer = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
        if (!$answer['success']) {
            throw new Refused($answer['user_message'], $answer['code']);
        }
        return $answer['data'];
    }
}
