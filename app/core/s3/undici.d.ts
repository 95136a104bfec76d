// undici's pool alone: the package's front door loads fetch, caches and WebSockets too, 14 MB of resident memory.
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export = Pool;
}
