// What wakes up on a page.
import './explorers.js';
import './exercises.js';
