<?php
// A site that signs people in with their face.

declare(strict_types=1);

require __DIR__ . '/../axiam.php';

$axiam = Axiam::fromEnvironment();
session_start([
    'cookie_httponly' => true,
    'cookie_samesite' => 'Lax',
    'cookie_secure' => isset($_SERVER['HTTPS']),
    'use_strict_mode' => true,
]);

// Nothing but this site's own pages, and the widget from Axiam.
$cable = preg_replace('/^http/', 'ws', $axiam->url);
header("Content-Security-Policy: default-src 'none'; script-src $axiam->url; connect-src $axiam->url $cable; "
    . "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");

$route = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$field = fn (string $name): string => is_string($_POST[$name] ?? null) ? $_POST[$name] : '';
$problem = null;
$token = null;

try {
    // Every form carries what only this visitor's own page was given.
    $_SESSION['csrf'] ??= bin2hex(random_bytes(32));
    if ($_SERVER['REQUEST_METHOD'] === 'POST' && !hash_equals($_SESSION['csrf'], $field('csrf_token'))) {
        $route = 'forged';
    }
    switch ($route) {
        case 'GET /':
            $token = isset($_SESSION['email']) ? null : $axiam->widgetToken();
            break;
        case 'POST /login':
            // The widget posts here once the phone has verified the person. Nothing is believed but what Axiam redeems.
            $who = $axiam->redeem($field('client_session_token'), $field('client_id'));
            session_regenerate_id(true);
            $_SESSION = ['email' => $who['email']];
            header('Location: /', response_code: 303);
            exit;
        case 'POST /logout':
            $_SESSION = [];
            session_regenerate_id(true);
            header('Location: /', response_code: 303);
            exit;
        case 'forged':
            http_response_code(403);
            $problem = 'This form is too old.';
            break;
        default:
            http_response_code(404);
            $problem = 'There is nothing here.';
    }
} catch (Refused $refused) {
    http_response_code(401);
    $problem = $refused->getMessage();
} catch (RuntimeException | JsonException $broken) {
    error_log((string) $broken);
    http_response_code(502);
    $problem = 'Sign-in is not available just now.';
}

function h(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
}
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<main>
<?php if ($problem !== null) { ?>
  <h1>Not signed in</h1>
  <p><?= h($problem) ?> <a href="/">Try again</a>.</p>
<?php } elseif (isset($_SESSION['email'])) { ?>
  <h1>Hello <?= h($_SESSION['email']) ?></h1>
  <form method="post" action="/logout">
    <input type="hidden" name="csrf_token" value="<?= h($_SESSION['csrf']) ?>">
    <button>Sign out</button>
  </form>
<?php } else { ?>
  <h1>Sign in</h1>
  <axiam-facial-login auth-token="<?= h($token) ?>" form-action="/login" csrf-token="<?= h($_SESSION['csrf']) ?>"></axiam-facial-login>
  <script src="<?= h($axiam->url) ?>/widget/facial-login.js" defer></script>
<?php } ?>
</main>
</html>
