import type { ComponentChildren } from 'preact';

import { announce } from '../frame/announce';
import { Dialog } from '../frame/dialog';
import { ErrorNotice, useAction } from '../frame/parts';
import { confirmed } from './passkey';

interface Props {
  title: string;
  button: string;
  isDangerous?: boolean;
  /** What is sent, and where; by POST, if nothing else is said. */
  request: () => { method?: string; path: string; body: string };
  said: string;
  isReady?: boolean;
  onClose: () => void;
  onDone: () => void;
  children: ComponentChildren;
}

/** A window that says what will happen, and does it with the passkey's word. */
export function ActionDialog({ title, button, isDangerous = false, request, said, isReady = true, onClose, onDone, children }: Props) {
  const act = useAction(async (signal) => {
    const { method = 'POST', path, body } = request();
    await confirmed(method, path, body, signal).catch((error: unknown) => {
      // It was under way when its window was closed: nobody sees why it failed.
      if (signal.aborted && error !== signal.reason) announce(`${title} It failed: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    });
    announce(said);
    if (!signal.aborted) onClose(); // or another window is open by now
    onDone();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run();
        }}
      >
        {children}
        {act.error && !act.isBusy && <ErrorNotice error={act.error} />}
        <p class="buttons">
          <button type="submit" class={`button ${isDangerous ? 'button-danger' : 'button-main'}`} disabled={act.isBusy || !isReady}>
            {act.isBusy ? 'Waiting for the passkey…' : button}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
