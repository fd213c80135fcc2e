/**
 * The write-ahead log goes, packed, to `wal/` of the folder that the link `backup` beside the data leads to; without the
 * link nowhere. The link is looked at and not what it leads to: while the disk behind it is away, PostgreSQL keeps the
 * log and tries again. The server works in its data folder, so no path needs quoting.
 */
export const ARCHIVE_SETTINGS = {
  archive_mode: 'on',
  archive_command:
    'test ! -L ../backup || (gzip -nc %p >../backup/wal/%f.part && sync ../backup/wal/%f.part && mv ../backup/wal/%f.part ../backup/wal/%f.gz)',
}

/** A segment that holds anything new is archived when it is as old as this, full or not. */
export const ARCHIVE_TIMEOUT_S = 30
