// What the server and the modules of this page tell each other, for readers and for tsc.

/**
 * Pixels of a plane, from (top, left) up to, not including, (bottom, right).
 * @typedef {object} Box
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

/**
 * A position along t and z, as far as the image has them; or, of a volume, along t and y or x.
 * @typedef {Record<string, number>} Plane
 */

/**
 * What a hand did; label 0 erases. Points are [y, x] in pixels of the image.
 * @typedef {object} Stroke
 * @property {"brush" | "polygon"} kind
 * @property {number} label
 * @property {number} radius
 * @property {[number, number][]} points
 */

/**
 * @typedef {object} Class
 * @property {number} label
 * @property {string} name
 * @property {string} color
 */

/**
 * How a channel is shown.
 * @typedef {object} Channel
 * @property {string} name
 * @property {boolean} on
 * @property {string} color
 * @property {number} low
 * @property {number} high
 * @property {number} minimum
 * @property {number} maximum
 * @property {number[]} [histogram] heights from minimum to maximum, 0 to 100
 */

/**
 * @typedef {object} Img
 * @property {string} key
 * @property {string} name
 * @property {number} height
 * @property {number} width
 * @property {Plane} outer sizes along t and z
 * @property {number} channels how many
 * @property {boolean} rgb whether these are colours, which belong together
 * @property {boolean} tracked whether its objects were tracked
 * @property {boolean} missing whether its file is not there any more
 * @property {string} address of one on a server that is missing
 * @property {[number, number] | null} pixel height and width of a pixel in µm
 * @property {number | null} deep how far apart planes are in µm
 * @property {boolean} sized whether somebody gave that size, and not the file
 * @property {"" | "accepted" | "skipped"} mark how far the work on it is; empty where it is to be done
 * @property {string[]} notes what of its file was left out, or read differently than stored
 * @property {{channels?: Channel[]}} display
 * @property {Box | null} region to which results are restricted
 */

/**
 * @typedef {object} Choice
 * @property {any} value
 * @property {string} title
 */

/**
 * A parameter as the page offers it: a choice, or (no choices) a number.
 * @typedef {object} Field
 * @property {string} name
 * @property {string} title
 * @property {string} help
 * @property {Choice[]} choices
 * @property {number} low
 * @property {number} high
 * @property {number} step
 * @property {any} value
 */

/**
 * Files that the page may send.
 * @typedef {object} Uploads
 * @property {string[]} endings of their names
 * @property {number} limit bytes
 */

/**
 * Everything about the session that is not pixels.
 * @typedef {object} State
 * @property {string} epoch differs between runs of the server, so that no old tile is shown
 * @property {string} home which project it is
 * @property {string} project
 * @property {string} unsaved what keeps strokes from the disk; empty where nothing does
 * @property {{image: string, message: string}[]} notices what was noticed when the project was opened
 * @property {Img[]} images
 * @property {string} mixed what to do about images of which one model cannot learn; empty where it can
 * @property {Class[]} classes
 * @property {string} mode "live", "demand" or "paused"
 * @property {string} trainOn "all" or "image"
 * @property {number[] | null} channels those the model learns from; null for all
 * @property {string} alias the configuration
 * @property {Choice[]} aliases all configurations
 * @property {Field[]} features
 * @property {Field[]} classifier
 * @property {boolean} trained
 * @property {string} applied what is said while a network answers in place of a model; else empty
 * @property {boolean} working
 * @property {string} phase what it is working on
 * @property {string} lacking what must be painted before anything can be learned; empty if there is enough
 * @property {string} message what went wrong last; empty where nothing did
 * @property {boolean} stale whether results on screen are older than the strokes
 * @property {number} revision
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {{image: string, plane: Record<string, number>} | null} looked where somebody looked last
 * @property {{images: Uploads, strokes: Uploads, models: Uploads, networks: Uploads, tables: Uploads}} uploads
 */

/**
 * How results stand.
 * @typedef {"absent" | "computing" | "current" | "older" | "failed"} Stand
 */

/**
 * What is known of a plane.
 * @typedef {object} Standing
 * @property {Stand} state of what is in view
 * @property {string} reason why, and what to do
 * @property {Stand} whole of the whole plane
 * @property {number} share of the plane that has results
 * @property {Box[]} stale where these are older than the strokes
 * @property {string} tag equal tags mean equal results
 * @property {string} about image, plane and revision
 */

/**
 * What the server tells without being asked.
 * @typedef {object} Told
 * @property {string} event
 * @property {State} [state]
 * @property {string} [image]
 * @property {Plane} [plane]
 * @property {Box} [box]
 * @property {number} [revision]
 * @property {number} [version]
 * @property {string} [message]
 * @property {boolean} [bad] whether the message is about something that failed
 * @property {string} [what]
 * @property {string} [name] of a task that has started
 * @property {number} [done]
 * @property {number} [total]
 * @property {number | null} [left]
 * @property {number} [task]
 * @property {any} [result]
 */
export {};
