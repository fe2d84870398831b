// What is dropped onto the page: files, folders of files, and folders that are one image (OME-Zarr).

/**
 * @typedef {object} Dropped
 * @property {string} name
 * @property {File} [file] unless it is a folder
 * @property {{path: string, file: File}[]} [files] what a folder that is an image holds
 * @property {boolean} [inside] whether it was found in a folder
 */

const MARKS = ["zarr.json", ".zattrs", ".zgroup", ".zarray"];
const DEEPEST = 6;

/**
 * Return what was dropped, folders searched for images.
 * @param {DataTransfer} transfer
 * @returns {Promise<Dropped[]>}
 */
export async function taken(transfer) {
  // The list is emptied as soon as this function waits, so all is taken out of it before.
  const items = [...transfer.items].filter((one) => one.kind === "file");
  const entries = items.map((one) => ({ entry: one.webkitGetAsEntry(), file: one.getAsFile() }));
  const found = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) found.push(...(await inFolder(/** @type {FileSystemDirectoryEntry} */ (entry), 0)));
    else if (file) found.push({ name: file.name, file });
  }
  return found;
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {number} depth
 * @returns {Promise<Dropped[]>}
 */
async function inFolder(folder, depth) {
  const entries = await listed(folder);
  if (folder.name.toLowerCase().endsWith(".zarr") || entries.some(({ name }) => MARKS.includes(name))) {
    return [{ name: folder.name, files: await filesOf(folder, ""), inside: true }];
  }
  /** @type {Dropped[]} */
  const found = [];
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isFile) {
      const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
      found.push({ name: file.name, file, inside: true });
    } else if (depth < DEEPEST) {
      found.push(...(await inFolder(/** @type {FileSystemDirectoryEntry} */ (entry), depth + 1)));
    }
  }
  return found;
}

/**
 * Return all files of a folder with their paths in it.
 * @param {FileSystemDirectoryEntry} folder
 * @param {string} before path of the folder
 * @returns {Promise<{path: string, file: File}[]>}
 */
async function filesOf(folder, before) {
  const found = [];
  for (const entry of await listed(folder)) {
    const path = `${before}${entry.name}`;
    if (entry.isFile) found.push({ path, file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)) });
    else found.push(...(await filesOf(/** @type {FileSystemDirectoryEntry} */ (entry), `${path}/`)));
  }
  return found;
}

/**
 * Return what a folder holds; browsers give it in portions.
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function listed(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
