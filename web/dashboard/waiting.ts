// A page that waits for a phone: it asks how it stands, and sends its form when that is over.

/** How often it asks, milliseconds. */
const EVERY = 2_000;

/** Sends the form when what it waits for has come about. Without this its button does. */
export function wait(form: HTMLFormElement): void {
  const told = document.getElementById('waiting-status');
  const ask = async (): Promise<void> => {
    let state = 'waiting';
    try {
      const answer = await fetch(form.dataset.waits ?? '', { headers: { accept: 'application/json' } });
      state = answer.ok ? ((await answer.json()) as { state: string }).state : 'waiting';
    } catch {
      // The network is gone for a while.
    }
    if (state === 'over') {
      form.submit();
      return;
    }
    // Said once: screen readers read it out each time that it is written.
    const sentence = told?.dataset.scanning;
    if (state === 'scanning' && told && sentence && told.textContent !== sentence) told.textContent = sentence;
    setTimeout(() => void ask(), EVERY);
  };
  setTimeout(() => void ask(), EVERY);
}
