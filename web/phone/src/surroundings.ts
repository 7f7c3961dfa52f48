// Where the app runs: an installed app, a tab, another app's own browser.

export interface Surroundings {
  isIos: boolean;
  /** Opened from the home screen rather than in a tab. */
  isInstalled: boolean;
  /** Inside another app (a messenger, a social network), which has no camera and forgets everything. */
  isInApp: boolean;
  /** Keys and cameras are there only over https, and on this very machine. */
  isSecure: boolean;
}

// What such browsers write into their names; Android's own web view says "; wv".
const IN_APP = /\b(FBAN|FBAV|FB_IAB|Instagram|Line\/|MicroMessenger|WhatsApp|Zalo|TikTok|musical_ly|Snapchat|LinkedInApp|GSA)|; wv\)/;

export interface Browser {
  userAgent: string;
  platform: string;
  maxTouchPoints: number;
  /** Apple's own word for what is opened from the home screen. */
  standalone?: boolean;
}

export function surroundings(browser: Browser, isStandalone: boolean, isSecure: boolean): Surroundings {
  // iPads call themselves Macs; no Mac has a touch screen.
  const isIos = /iPhone|iPad|iPod/.test(browser.userAgent) || (browser.platform === 'MacIntel' && browser.maxTouchPoints > 1);
  return {
    isIos,
    isInstalled: isStandalone || browser.standalone === true,
    isInApp: IN_APP.test(browser.userAgent),
    isSecure,
  };
}

export const here = (): Surroundings =>
  surroundings(navigator as Browser, matchMedia('(display-mode: standalone)').matches, isSecureContext && !!crypto.subtle);

/** What this phone is called until its person calls it otherwise, such as "Chrome on Android". */
export function deviceName(userAgent: string): string {
  const first = (names: [RegExp, string][]): string => names.find(([sign]) => sign.test(userAgent))?.[1] ?? '';
  const browser = first([[/Edg/, 'Edge'], [/SamsungBrowser/, 'Samsung Internet'], [/OPR\//, 'Opera'], [/Firefox|FxiOS/, 'Firefox'],
    [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari']]) || 'Browser';
  const system = first([[/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Android/, 'Android'], [/Windows/, 'Windows'], [/Mac OS/, 'Mac'],
    [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux']]);
  return system ? `${browser}, ${system}` : browser;
}
