// The words of notifications, apart from the app's: the service worker carries these alone.

import type { Language } from './index.js';

interface Words {
  title: string;
  text: string;
  /** Where nothing is known of who asks. */
  unknown: string;
  test: string;
  testText: string;
}

export const NOTIFICATIONS: Record<Language, Words> = {
  ar: {
    title: 'تسجيل الدخول إلى {site}؟',
    text: 'اضغط للإجابة. إن لم تكن أنت من طلب ذلك، فارفضه هناك.',
    unknown: 'طلب ينتظرك',
    test: 'تجربة من {site}',
    testText: 'الإشعارات تصل إلى هذا الهاتف. لا شيء يحتاج إلى إجابة.',
  },
  de: {
    title: 'Bei {site} anmelden?',
    text: 'Zum Antworten tippen. Waren Sie es nicht, lehnen Sie dort ab.',
    unknown: 'Eine Anfrage wartet',
    test: 'Probe von {site}',
    testText: 'Benachrichtigungen erreichen dieses Telefon. Es gibt nichts zu beantworten.',
  },
  en: {
    title: 'Sign in to {site}?',
    text: 'Tap to answer. If it was not you, refuse it there.',
    unknown: 'A request waits',
    test: 'A test from {site}',
    testText: 'Notifications reach this phone. There is nothing to answer.',
  },
  es: {
    title: '¿Entrar en {site}?',
    text: 'Toca para responder. Si no has sido tú, recházalo allí.',
    unknown: 'Hay una solicitud pendiente',
    test: 'Prueba de {site}',
    testText: 'Las notificaciones llegan a este teléfono. No hay nada que responder.',
  },
  vi: {
    title: 'Đăng nhập vào {site}?',
    text: 'Chạm để trả lời. Nếu không phải bạn, hãy từ chối ở đó.',
    unknown: 'Có một yêu cầu đang chờ',
    test: 'Thử nghiệm từ {site}',
    testText: 'Thông báo đến được điện thoại này. Không có gì cần trả lời.',
  },
};
