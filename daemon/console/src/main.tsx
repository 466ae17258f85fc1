import { render } from 'preact';

import { shareMark } from './data/mark';
import { App } from './frame/app';
import { takeLink } from './frame/router';
import { readTheme, setTheme } from './frame/theme';

// Before anything else: the link must not stay in the address or the history.
const link = takeLink();
setTheme(readTheme());
shareMark();
const place = document.getElementById('console');
if (place !== null) render(<App link={link} />, place);
