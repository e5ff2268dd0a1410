/** How the process ends that reads the store. Node's own codes are others: a crash is none of these. */
export const checkExit = { fine: 0, damaged: 40 };
