export type Theme = 'system' | 'light' | 'dark';

const kKey = 'chancery-theme';

export function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(kKey);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system'; // a browser that keeps nothing
  }
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(kKey, theme);
  } catch {
    // It holds for this page then.
  }
}
