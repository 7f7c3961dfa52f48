// While the server looks at the photos.

import { html } from '../../../widget/src/dom.js';
import type { Context } from '../context.js';

export function checking({ t, view }: Context, title = t.checking): void {
  view.show({ name: 'checking', title, nodes: [html('div', { class: 'busy', 'aria-hidden': 'true' })] });
}
