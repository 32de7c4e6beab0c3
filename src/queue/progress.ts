/** Is told how much of a long work is done, often and cheaply; of how much, where that is known. */
export type Progress = (done: number, total?: number) => void;
